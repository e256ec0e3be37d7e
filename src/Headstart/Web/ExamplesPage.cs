using Headstart.Models;
using Headstart.Operations;
using Headstart.Reports;
using Headstart.Versions;
using Headstart.Web.Parts;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using MudBlazor;

namespace Headstart.Web;

/// <summary>What the pages of images and of texts have in common: they hear of uploads, and know what the newest report doubts.</summary>
public abstract class ExamplesPage : ModelPage
{
    private DotNetObjectReference<ExamplesPage>? _self;

    [Inject] private IDialogService Dialogs { get; set; } = default!;

    /// <summary>Of the newest version; null before there is one.</summary>
    protected Report? Report { get; private set; }

    protected override async Task LoadAsync()
    {
        _self = DotNetObjectReference.Create(this);
        await Scripts.InvokeVoidAsync("headstart.listen", _self);
        await LoadExamplesAsync();
        if ((await Api.GetAsync<Page<VersionResponse>>($"{Path}/versions?limit=1")).Value is { Items: [var newest] })
        {
            Report = (await Api.GetAsync<Report>($"{Path}/versions/{newest.Number}/report")).Value;
        }
    }

    protected abstract Task LoadExamplesAsync();

    /// <summary>Reads what has come since.</summary>
    protected abstract Task LoadNewAsync();

    /// <summary>The script has sent files.</summary>
    [JSInvokable]
    public async Task Uploaded(Guid model)
    {
        if (model == Id)
        {
            await CameAsync();
            StateHasChanged();
        }
    }

    /// <summary>Examples or categories have come.</summary>
    protected async Task CameAsync()
    {
        await LoadModelAsync();
        await LoadNewAsync();
    }

    protected async Task AddCategoryAsync()
    {
        var dialog = await Dialogs.ShowAsync<TextDialog>("Add a category", new DialogParameters<TextDialog> { { d => d.Label, "Name" }, { d => d.Do, "Add" } });
        if (await dialog.Result is { Canceled: false, Data: string name }
            && Worked(await Api.PatchAsync<ModelResponse>(Path, new { categories = Model!.Categories.Select(c => c.Name).Append(name.Trim()) })))
        {
            await LoadModelAsync();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_self is not null)
        {
            try
            {
                await Scripts.InvokeVoidAsync("headstart.forget", _self);
            }
            catch (JSDisconnectedException)
            {
                // The browser is away and its list with it.
            }

            _self.Dispose();
        }

        await base.DisposeAsync();
    }
}
