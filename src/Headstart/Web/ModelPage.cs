using Headstart.Models;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using MudBlazor;

namespace Headstart.Web;

/// <summary>Base of all model pages: loads the model, polls while work is in progress, and reports failed calls.</summary>
public abstract class ModelPage : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(700);
    private readonly CancellationTokenSource _left = new();
    private Guid? _shown;
    private bool _starting;
    private readonly AnswerOrder _order = new();

    protected ModelPage() => Left = _left.Token;

    [Parameter] public Guid Id { get; set; }

    [Inject] protected ApiCalls Api { get; set; } = default!;

    [Inject] protected NavigationManager Navigation { get; set; } = default!;

    [Inject] protected ISnackbar Snackbar { get; set; } = default!;

    [Inject] protected IJSRuntime Scripts { get; set; } = default!;

    protected ModelResponse? Model { get; private set; }

    /// <summary>Why the model could not be loaded.</summary>
    protected string? Problem { get; private set; }

    /// <summary>Cancelled when the page is left, after which messages may still undo something.</summary>
    protected CancellationToken Left { get; }

    protected string Path => $"models/{Id}";

    protected override async Task OnParametersSetAsync()
    {
        if (_shown == Id)
        {
            return;
        }

        _shown = Id;
        await LoadModelAsync();
        if (Model is not null)
        {
            await LoadAsync();
        }
    }

    /// <summary>Loads what the page shows besides the model.</summary>
    protected virtual Task LoadAsync() => Task.CompletedTask;

    protected async Task LoadModelAsync()
    {
        var load = _order.Ask();
        var answer = await Api.GetAsync<ModelResponse>(Path);
        if (_order.IsNews(load))
        {
            (Model, Problem) = (answer.Value ?? Model, answer.Problem);
        }
    }

    /// <summary>Polls until <paramref name="look"/> returns true or the user leaves the page.</summary>
    protected async Task WatchAsync(Func<Task<bool>> look)
    {
        using var timer = new PeriodicTimer(Look);
        try
        {
            while (await timer.WaitForNextTickAsync(_left.Token))
            {
                var done = await look();
                StateHasChanged();
                if (done)
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_left.IsCancellationRequested)
        {
        }
    }

    /// <summary>Shows the error of a failed call.</summary>
    /// <returns>Whether the call succeeded.</returns>
    protected bool Worked<T>(Answer<T> answer) => Snackbar.Tell(answer);

    /// <summary>Starts one training run, however often the button is clicked, and shows its progress.</summary>
    protected async Task TrainAsync()
    {
        if (_starting)
        {
            return;
        }

        var leaving = false;
        _starting = true;
        try
        {
            await BeforeTrainingAsync();
            leaving = Worked(await Api.PostAsync<Training.RunResponse>($"{Path}/training-runs")) && await StartedAsync();
        }
        finally
        {
            _starting = leaving; // a second click may still be on its way
        }
    }

    /// <summary>Saves pending changes that the run must see.</summary>
    protected virtual Task BeforeTrainingAsync() => Task.CompletedTask;

    /// <summary>Shows the run that was started.</summary>
    /// <returns>Whether this navigates away from the page.</returns>
    protected virtual Task<bool> StartedAsync()
    {
        Navigation.NavigateTo($"models/{Id}/training");
        return Task.FromResult(true);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _left.CancelAsync();
        _left.Dispose();
    }
}
