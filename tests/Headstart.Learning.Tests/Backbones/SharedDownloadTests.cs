using Headstart.Learning.Backbones;
using static Headstart.Learning.Tests.Backbones.DownloadScene;

namespace Headstart.Learning.Tests.Backbones;

public sealed class SharedDownloadTests
{
    [Fact]
    public async Task Tasks_that_want_the_same_file_share_one_download_and_its_progress()
    {
        using var folder = new TestFolder();
        using var server = new LoopbackServer(async request =>
        {
            await Task.Delay(200, request.Stop);
            await request.FileAsync(Content);
        });
        var recorders = Enumerable.Range(0, 8).Select(_ => new Recorder()).ToList();

        await Task.WhenAll(recorders.Select(recorder =>
            new BackboneDownload(Impatient).FetchAsync(Entry(server.Address), folder.Path, progress: recorder, cancel: Cancel)));

        Assert.Single(server.Requests);
        Assert.All(recorders, recorder => Assert.NotEmpty(recorder.Values));
    }

    [Fact]
    public async Task One_who_gives_up_does_not_end_the_download_of_another_and_the_last_one_does()
    {
        using var folder = new TestFolder();
        using var go = new SemaphoreSlim(0);
        using var server = new LoopbackServer(async request =>
        {
            await go.WaitAsync(request.Stop);
            await request.FileAsync(Content);
        });
        var download = new BackboneDownload(Impatient);
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var first = download.FetchAsync(Entry(server.Address), folder.Path, cancel: impatient.Token);
        var second = download.FetchAsync(Entry(server.Address), folder.Path, cancel: Cancel);

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        go.Release();
        await second;
        Assert.Single(server.Requests);

        File.Delete(folder.File("tiny.onnx"));
        using var alone = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var third = download.FetchAsync(Entry(server.Address), folder.Path, cancel: alone.Token);
        await alone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        go.Release(2); // the third one's request may have got through
        await ArrivesAsync(server, folder); // the lock is free again
    }

    [Fact]
    public async Task While_another_process_holds_the_lock_we_wait_and_take_what_it_brought()
    {
        using var folder = new TestFolder();
        using var server = new LoopbackServer(request => request.FileAsync(Content));
        Task<BackboneFile> fetch;
        using (new FileStream(folder.File($"{Sha256}.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            fetch = new BackboneDownload(Impatient).FetchAsync(Entry(server.Address), folder.Path, cancel: Cancel);
            await Task.Delay(300, Cancel);
            Assert.False(fetch.IsCompleted);
            await File.WriteAllBytesAsync(folder.File("tiny.onnx"), Content, Cancel);
        }

        await fetch;
        Assert.Empty(server.Requests);
    }
}
